import { defineConfig } from 'vite';

// What a page of ours may load and call: itself. The header of the edge may say more, never less.
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'";

// Only in the build: the development server puts its styles into the page.
const contentSecurityPolicy = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: kPolicy }, injectTo: 'head-prepend' },
  ],
};

// The platform's own script, which is not part of the build: it measures how long the page takes (docs/rum.md).
const pageTimings = {
  name: 'page-timings',
  apply: 'build',
  transformIndexHtml: () => [{ tag: 'script', attrs: { async: true, src: '/_securebase/page.js' }, injectTo: 'head' }],
};

// Screens that have code of their own get pages of their own, which name that code: the browser asks for it beside the
// first file rather than after it, a round trip earlier. Who is signed out comes to "/", which names none.
const kScreens = ['invoices', 'tickets', 'api-keys'];
const screenPages = {
  name: 'screen-pages',
  apply: 'build',
  enforce: 'post',
  generateBundle(_, bundle) {
    const page = bundle['index.html'].source;
    const entry = Object.values(bundle).find((chunk) => chunk.isEntry);
    for (const screen of kScreens) {
      const source = `/src/screens/${screen.replace('-', '_')}.ts`;
      const own = Object.values(bundle).find((chunk) => chunk.facadeModuleId?.endsWith(source));
      const names = [own.fileName, ...own.imports].filter((name) => name !== entry.fileName);
      const links = names.map((name) => `<link rel="modulepreload" crossorigin href="/${name}">`).join('\n    ');
      this.emitFile({
        type: 'asset',
        fileName: `pages/${screen}.html`,
        source: page.replace('</head>', `  ${links}\n  </head>`),
      });
    }
  },
};

export default defineConfig({
  plugins: [contentSecurityPolicy, pageTimings, screenPages],
  build: {
    target: 'es2021',
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        // Hashes in the names make /assets/* immutable: the edge keeps it for a year.
        entryFileNames: 'assets/[name].[hash].js',
        chunkFileNames: 'assets/[name].[hash].js',
        assetFileNames: 'assets/[name].[hash].[ext]',
      },
    },
  },
  server: { port: 22100, proxy: { '/api': process.env.PORTAL_API ?? 'http://127.0.0.1:8080' } },
});
