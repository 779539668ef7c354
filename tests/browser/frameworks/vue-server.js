import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";

export function html(data) {
  const app = createSSRApp({
    data: () => ({ data }),
    template: `<section :data-count="0"><p>above</p>
    <generated-image id="subject" :data="data"></generated-image></section>`,
  });
  app.config.compilerOptions = { isCustomElement: (tag) => tag.includes("-") };
  return renderToString(app);
}
