import type { GlobalComponents } from "vue";
import type { ImageGeneration } from "imagegen-elements";

type Props = InstanceType<GlobalComponents["generated-image"]>["$props"];
declare const data: ImageGeneration;
export const fine: Props = { data, alt: "A fox", onImageChange: ({ detail }) => detail.generation.id };
// @ts-expect-error: a number is no generation
export const wrong: Props = { data: 7 };
export const calls: InstanceType<GlobalComponents["llm-info"]>["$props"] = { calls: [] };
