import { defineConfig } from "vite";

// Three files with names that stay: the binary holds them, and a change shows in a diff.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "",
    modulePreload: false,
    sourcemap: false,
    rolldownOptions: {
      output: { entryFileNames: "app.js", assetFileNames: "app[extname]" },
    },
  },
});
