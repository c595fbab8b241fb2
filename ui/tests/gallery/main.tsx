/** Every component with made-up figures, to look at and to test: `npx vite`, then /tests/gallery/index.html. */
import './gallery.css';
import { createRoot } from 'react-dom/client';
import { ConfirmDialog } from '@/app/confirm';
import { Toaster } from '@/components/Toaster';
import { TooltipProvider } from '@/components/Tooltip';
import { Basics } from './Basics';
import { Data } from './Data';
import { Forms } from './Forms';
import { Plots } from './Plots';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <TooltipProvider>
      <main className="mx-auto max-w-6xl space-y-4 p-4">
        <h1 className="text-xl font-semibold">Components</h1>
        <Basics />
        <Forms />
        <Data />
        <Plots />
      </main>
      <Toaster />
      <ConfirmDialog />
    </TooltipProvider>,
  );
}
