// Drives one client; prints its version and how many images it was given, as JSON. A client that does
// not work ends with a stack trace.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const [name, given] = [process.argv[2], JSON.parse(process.argv[3])];
const prompt = "A red fox in fresh snow";
const TOOLS = ["estimate_image", "image_status", "list_models"];
const headers = { Authorization: `Bearer ${given.token}` };
const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;

function checkOffer(text) {
  assert.match(text, /at most \$/);
  assert.match(text, /#prompt=A%20red%20fox/);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** A PNG of 64 rows whose pixels are [red, green, blue, alpha] of their column. */
function png(width, pixel) {
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, 64, 8, 6, 0, 0, 0]);
  const row = Buffer.from([0, ...Array.from({ length: width }, (_, at) => pixel(at)).flat()]);
  const rows = deflateSync(Buffer.concat(Array(64).fill(row)));
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

/** A picture and three references of other sizes, with the left half of the first one free to change. */
async function edited(client, toFile, more) {
  const file = (name, bytes) => toFile(bytes, name, { type: "image/png" });
  const image = [96, 64, 80, 112].map((width) => file(`${width}.png`, png(width, (at) => [at, 90, 200, 255])));
  const mask = file("mask.png", png(96, (at) => [0, 0, 0, at < 48 ? 0 : 255]));
  const asked = { prompt: "Make it blue", image: await Promise.all(image), mask: await mask, ...more };
  const got = await client.images.edit(asked);
  assert.ok(got.data.every((one) => one.b64_json));
  // A vendor counts no tokens of a picture that did not arrive. Here they are those of all four.
  const tokens = got.usage.input_tokens_details.image_tokens / got.data.length;
  assert.equal(tokens, 24 + 16 + 20 + 28);
  return got.data.length;
}

async function drawnByAiSdk(model) {
  const { generateImage } = await import("ai");
  const one = await generateImage({ model, prompt });
  assert.ok(one.image.base64.length > 100);
  const several = await generateImage({ model, prompt, n: 4, size: "1024x1024" });
  assert.equal(several.images.length, 4);
  return 5;
}

/** The tools are listed and one is called, by a client of MCP's own package for TypeScript, of either major version. */
async function pricedOverMcp(Client, Transport) {
  const client = new Client({ name: "client", version: "1" });
  await client.connect(new Transport(new URL(given.mcp), { requestInit: { headers } }));
  assert.deepEqual((await client.listTools()).tools.map((tool) => tool.name), TOOLS);
  const got = await client.callTool({ name: "estimate_image", arguments: { prompt } });
  checkOffer(got.content[0].text);
  await client.close();
}

const CLIENTS = {
  async openai() {
    const { default: OpenAI, toFile } = await import("openai");
    const client = new OpenAI({ baseURL: given.base, apiKey: given.token });
    const one = await client.images.generate({ prompt });
    assert.ok(one.data[0].b64_json && one.data[0].url);
    const several = await client.images.generate({ prompt, model: "dall-e-2", n: 3, size: "512x512" });
    assert.equal(new Set(several.data.map(({ url }) => url)).size, 3);
    const retrieved = await client.models.retrieve("black-forest-labs/FLUX.2-pro");
    assert.equal(retrieved.type, "image");
    const changed = await edited(client, toFile, { model: "gpt-image-1", size: "1024x1024" });
    const four = await edited(client, toFile, { model: "openai-standard", n: 4 });
    assert.deepEqual([changed, four], [1, 4]);
    return { package: "openai", images: 9 };
  },
  async "ai-sdk-openai"() {
    const { createOpenAI } = await import("@ai-sdk/openai");
    const provider = createOpenAI({ baseURL: given.base, apiKey: given.token });
    return { package: "@ai-sdk/openai", images: await drawnByAiSdk(provider.image("gpt-image-1")) };
  },
  async "ai-sdk-openai-tier"() {
    const { createOpenAI } = await import("@ai-sdk/openai");
    const provider = createOpenAI({ baseURL: given.base, apiKey: given.token });
    return { package: "@ai-sdk/openai", images: await drawnByAiSdk(provider.image("fast")) };
  },
  async "ai-sdk-compatible"() {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const provider = createOpenAICompatible({ name: "imagegen", baseURL: given.base, apiKey: given.token });
    const images = await drawnByAiSdk(provider.imageModel("fast"));
    return { package: "@ai-sdk/openai-compatible", images };
  },
  async langchain() {
    const { DallEAPIWrapper } = await import("@langchain/openai");
    const settings = { apiKey: given.token, baseUrl: given.base };
    assert.match(await new DallEAPIWrapper(settings).invoke(prompt), /^http/);
    const several = await new DallEAPIWrapper({ ...settings, model: "dall-e-2", n: 2 }).invoke(prompt);
    assert.equal(several.length, 2);
    return { package: "@langchain/openai", images: 3 };
  },
  async mcp() {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    await pricedOverMcp(Client, StreamableHTTPClientTransport);
    return { package: "@modelcontextprotocol/sdk", images: 0 };
  },
  async "mcp-2"() {
    const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
    await pricedOverMcp(Client, StreamableHTTPClientTransport);
    return { package: "@modelcontextprotocol/client", images: 0 };
  },
  async "mcp-inspector"() {
    const inspect = (...method) => {
      const sent = ["--cli", given.mcp, "--transport", "http", "--header", `Authorization: ${headers.Authorization}`];
      const path = "node_modules/.bin/mcp-inspector";
      return JSON.parse(execFileSync(path, [...sent, "--method", ...method], { encoding: "utf8" }));
    };
    assert.deepEqual(inspect("tools/list").tools.map((tool) => tool.name), TOOLS);
    const called = ["--tool-name", "estimate_image", "--tool-arg", `prompt=${prompt}`];
    checkOffer(inspect("tools/call", ...called).content[0].text);
    return { package: "@modelcontextprotocol/inspector", images: 0 };
  },
  async "langchain-mcp"() {
    const { MultiServerMCPClient } = await import("@langchain/mcp-adapters");
    const client = new MultiServerMCPClient({ imagegen: { transport: "http", url: given.mcp, headers } });
    const tools = await client.getTools();
    assert.deepEqual(tools.map((tool) => tool.name), TOOLS);
    checkOffer(JSON.stringify(await tools[0].invoke({ prompt })));
    await client.close();
    return { package: "@langchain/mcp-adapters", images: 0 };
  },
  async "openapi-fetch"() {
    const { default: createClient } = await import("openapi-fetch");
    const at = (baseUrl) => createClient({ baseUrl, headers });
    const offer = await at(given.estimate).POST("/estimate", { body: { prompt } });
    assert.equal(offer.response.status, 200);
    const body = { prompt, quote: offer.data.quote };
    const image = await at(given.generate).POST("/generate-image", { body });
    assert.equal(image.response.status, 200);
    const path = { image_id: offer.data.imageId };
    const found = await at(given.generate).GET("/images/{image_id}", { params: { path }, headers: { Accept: "application/json" } });
    assert.equal(found.data.charged, true);
    return { package: "openapi-fetch", images: 1 };
  },
  async oazapfts() {
    const { default: ts } = await import("typescript");
    execFileSync("node_modules/.bin/oazapfts", [given.specification, "generated.ts"]);
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(readFileSync("generated.ts", "utf8"), { compilerOptions });
    writeFileSync("generated.mjs", outputText);
    const generated = await import(new URL("generated.mjs", import.meta.url));
    const asked = { headers };
    const offer = await generated.estimateImage({ prompt }, { ...asked, baseUrl: given.estimate });
    assert.equal(offer.status, 200);
    const body = { prompt, quote: offer.data.quote };
    const image = await generated.generateImage(body, {}, { ...asked, baseUrl: given.generate });
    assert.equal(image.status, 200);
    return { package: "oazapfts", images: 1 };
  },
  async "ai-sdk-mcp"() {
    const { createMCPClient } = await import("@ai-sdk/mcp");
    const client = await createMCPClient({ transport: { type: "http", url: given.mcp, headers } });
    const tools = await client.tools();
    assert.deepEqual(Object.keys(tools), TOOLS);
    const got = await tools.estimate_image.execute({ prompt }, { toolCallId: "1", messages: [] });
    checkOffer(JSON.stringify(got));
    await client.close();
    return { package: "@ai-sdk/mcp", images: 0 };
  },
};

const { package: used, images } = await CLIENTS[name]();
console.log(JSON.stringify({ version: versionOf(used), images }));
