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

export default defineConfig({
  plugins: [contentSecurityPolicy],
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
