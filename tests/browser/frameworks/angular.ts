import "@angular/compiler";
import { Component, CUSTOM_ELEMENTS_SCHEMA, provideZonelessChangeDetection, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";

const page = window as any;
page.changes = [];
page.mount = (root: HTMLElement, first: unknown) => {
  @Component({
    selector: "app-root",
    standalone: true,
    schemas: [CUSTOM_ELEMENTS_SCHEMA],
    template: `<section [attr.data-count]="count()">
      <generated-image id="subject" [data]="data()" (image-change)="changed($event)"></generated-image></section>`,
  })
  class App {
    data = signal(first);
    count = signal(0);
    constructor() {
      page.give = (value: unknown) => this.data.set(value);
      page.rerender = () => this.count.update((count) => count + 1);
    }
    changed(event: CustomEvent) { page.changes.push(event.detail.generation.status); }
  }
  root.append(document.createElement("app-root"));
  return bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
};
