// What a user of OpenAI's JavaScript client does, told as JSON on standard output.
import OpenAI, { toFile } from "openai";

const { baseURL, apiKey, prompt, key } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL, apiKey });

const models = [];
for await (const model of client.models.list()) models.push(model.id);

const ask = (body, headers = {}) => client.images.generate({ prompt, ...body }, { headers });
const first = await ask({ model: "fast", size: "1024x1024" });
const keyed = [];
for (let turn = 0; turn < 2; turn += 1) {
  keyed.push(await ask({ model: "fast", response_format: "url" }, { "Idempotency-Key": key }));
}

const picture = async () =>
  toFile(Buffer.from(first.data[0].b64_json, "base64"), "fox.png", { type: "image/png" });
const edited = await client.images.edit({
  image: [await picture(), await picture()],
  prompt,
  model: "openai-standard",
});

const errors = [];
const failing = [[{ n: 9 }], [{ model: "no-such-model" }], [{}, { "x-max-cost": "0.000001" }]];
for (const [body, headers] of [...failing, [{ model: "high" }, { "Idempotency-Key": key }]]) {
  try {
    await ask(body, headers);
    errors.push(null);
  } catch (error) {
    const { status, code, param, type, requestID } = error;
    errors.push({ name: error.constructor.name, status, code, param, type, requestID });
  }
}

console.log(JSON.stringify({ models, first, keyed, edited, errors }));
