/** The pages are files when they are built: a server renders them once, and the browser takes them over. */
export default { output: "export" };
