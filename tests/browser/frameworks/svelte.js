import { mount } from "svelte";
import App from "./App.svelte";

window.changes = [];
window.mount = (target, data) => mount(App, { target, props: { first: data } });
