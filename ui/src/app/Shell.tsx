import { Outlet, useRouterState } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { useSession } from '@/api/session';
import { IconButton } from '@/components/Button';
import { Toaster } from '@/components/Toaster';
import { TooltipProvider } from '@/components/Tooltip';
import { useSelectionInAddress } from '@/plots/selection';
import { shell } from '@/text/shell';
import { OfflineBanner } from './Connection';
import { ConfirmDialog } from './confirm';
import { Palette } from './Palette';
import { SideNav } from './SideNav';
import { SignIn } from './SignIn';
import { TopBar } from './TopBar';
import { useTellings } from './tellings';

/** Frame of every page. */
export function Shell() {
  const { refused } = useSession();
  return (
    <TooltipProvider>
      {refused ? <SignIn /> : <Frame />}
      <Toaster />
      <ConfirmDialog />
    </TooltipProvider>
  );
}

function Frame() {
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  useTellings();
  useSelectionInAddress();
  const main = useFocusOnNewPage();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      setPalette((open) => !open);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="flex min-h-screen">
      <a
        href="#main"
        className="sr-only z-60 rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:left-2 focus:top-2"
      >
        {shell.skip}
      </a>
      <aside className="sticky top-0 hidden h-screen w-56 shrink-0 border-r border-line bg-surface lg:block">
        <SideNav />
      </aside>
      <MobileNav open={menu} onOpenChange={setMenu} />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar onMenu={() => setMenu(true)} onPalette={() => setPalette(true)} />
        <OfflineBanner />
        <main
          id="main"
          ref={main}
          tabIndex={-1}
          className="mx-auto w-full min-w-0 max-w-[120rem] flex-1 p-3 outline-none sm:p-4"
        >
          <Outlet />
        </main>
      </div>
      <Palette open={palette} onOpenChange={setPalette} />
    </div>
  );
}

function MobileNav({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim lg:hidden" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 w-64 max-w-[85vw] border-r border-line bg-surface shadow-pop lg:hidden"
        >
          <Radix.Title className="sr-only">{shell.navigation}</Radix.Title>
          <Radix.Close asChild>
            <IconButton
              className="absolute right-2 top-2"
              label={shell.closeNavigation}
              icon={<X aria-hidden className="size-4" />}
            />
          </Radix.Close>
          <SideNav onGo={() => onOpenChange(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A new page begins at its top, for the eye and for the keyboard. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const before = useRef(path);
  useEffect(() => {
    const came = before.current !== undefined && path !== before.current;
    before.current = path;
    if (came && !document.activeElement?.closest('[role="dialog"]')) main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
