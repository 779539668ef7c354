import { createApp, createSSRApp, ref } from "vue";

const OPTIONS = { isCustomElement: (tag) => tag.includes("-") };
export const component = (first) => ({
  setup() {
    const data = ref(first);
    const count = ref(0);
    window.give = (value) => { data.value = value; };
    window.rerender = () => { count.value += 1; };
    const changed = ({ detail }) => window.changes.push(detail.generation.status);
    return { data, count, changed };
  },
  template: `<section :data-count="count"><p>above</p>
    <generated-image id="subject" :data="data" @image-change="changed"></generated-image></section>`,
});

window.changes = [];
window.mount = (root, data, { hydrate = false } = {}) => {
  const app = (hydrate ? createSSRApp : createApp)(component(data));
  app.config.compilerOptions = OPTIONS;
  app.mount(root);
};
