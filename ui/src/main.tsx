import '@/styles/main.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { newQueryClient } from '@/api/query';
import { notifyState } from '@/app/notify';
import { newRouter } from '@/app/router';
import { followEvents } from '@/events';

/** How long the first drawing waits for the event stream, ms: what is asked after it began need not be asked twice. */
const PATIENCE_MS = 250;

const client = newQueryClient();
const router = newRouter();
const { heard } = followEvents(client, () => notifyState() === 'on');
const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));

void Promise.race([heard, patience]).then(() => {
  const root = document.getElementById('root');
  if (!root) throw new Error('the page has no root');
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
});
