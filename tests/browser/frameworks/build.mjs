/** Bundles the small apps of this folder as a bundler of the framework does: `node build.mjs <output folder>`. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRequire } from "node:module";

// The packages are installed beside the output, not here.
const out = process.argv[2];
const require = createRequire(join(out, "package.json"));
const { build } = require("esbuild");
const { compile } = require("svelte/compiler");
const here = import.meta.dirname;
const fixture = join(here, "../../../events/ui/pending.json");
const OFFER = JSON.stringify(JSON.parse(await readFile(fixture, "utf8")).data);

const svelte = {
  name: "svelte",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js } = compile(await readFile(path, "utf8"), { filename: path, generate: "client" });
      return { contents: js.code, loader: "js", resolveDir: here };
    });
  },
};
const shared = {
  bundle: true, format: "esm", minify: true, nodePaths: [join(out, "node_modules")], logLevel: "warning",
  jsx: "automatic", plugins: [svelte], conditions: ["browser", "production"], outdir: join(out, "bundles"),
  // The elements are loaded from the page's address by the test, early or late.
  external: ["/elements.js", "/aisdk.js"],
  define: {
    "process.env.NODE_ENV": '"production"', "__VUE_OPTIONS_API__": "true", "__VUE_PROD_DEVTOOLS__": "false",
    "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__": "false", ngDevMode: "false", ngJitMode: "true",
  },
};
const apps = ["react.jsx", "vue.js", "svelte.js", "angular.ts", "aisdk.jsx"].map((name) => join(here, name));
await build({
  ...shared, entryPoints: apps, alias: {
    vue: "vue/dist/vue.esm-bundler.js", "imagegen-elements": "/elements.js", "imagegen-elements/aisdk": "/aisdk.js",
  },
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
});
for (const name of ["react", "vue"]) {
  await build({
    ...shared, entryPoints: [join(here, `${name}-server.${name === "vue" ? "js" : "jsx"}`)], platform: "node",
    conditions: ["node", "production"], format: "cjs", outExtension: { ".js": ".cjs" },
  });
  const { html } = require(join(out, "bundles", `${name}-server.cjs`));
  const data = { id: "x", prompt: "", status: "declined" };
  const served = { object: html(data), text: html(OFFER), wrapped: html(data, { served: true }) };
  for (const [form, text] of Object.entries(served)) await writeFile(join(out, "bundles", `${name}-${form}.html`), await text);
}
