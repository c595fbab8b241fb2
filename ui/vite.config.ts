import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type ProxyOptions } from 'vite';

/** The service that the development and preview servers speak to. */
const server = process.env.AUTOTUNER_URL ?? 'http://127.0.0.1:8470';

/** The service refuses pages of other sites: what passes through here must look as if it came from its own page. */
const proxied: ProxyOptions = {
  target: server,
  changeOrigin: true,
  configure: (proxy) => {
    proxy.on('proxyReq', (request) => {
      if (request.hasHeader('origin')) request.setHeader('origin', server);
      request.removeHeader('referer');
    });
    // Streams: their head is not held back, and they break off where the service does.
    proxy.on('proxyRes', (answer, _request, response) => {
      setImmediate(() => response.flushHeaders());
      answer.once('close', () => response.writableEnded || response.destroy());
    });
  },
};
const proxy = Object.fromEntries(['/api', '/health', '/ready', '/metrics'].map((path) => [path, proxied]));

/** What is loaded only when a page needs it, each in a file of its own. */
const LAZY: [name: string, test: RegExp][] = [
  ['echarts', /node_modules\/(echarts|zrender)\//],
  ['uplot', /node_modules\/uplot\//],
  ['editor', /node_modules\/(@codemirror|@lezer|style-mod|crelt|w3c-keyname)\//],
  ['yaml', /node_modules\/yaml\//],
];
/** What every page needs, and what changes only with its version. Before the others: what both need must not be with them. */
const FIRST: [name: string, test: RegExp][] = [
  ['helpers', /node_modules\/tslib\//],
  ['react', /node_modules\/(react|react-dom|scheduler)\//],
  [
    'tanstack',
    /node_modules\/@tanstack\/(react-router|router-core|history|store|react-store|react-query|query-core)\//,
  ],
];

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  server: { proxy },
  preview: { proxy },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsInlineLimit: 0,
    manifest: true,
    chunkSizeWarningLimit: 800,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [...FIRST, ...LAZY].map(([name, test]) => ({ name, test })) },
      },
    },
  },
});
