import { getRouteApi } from '@tanstack/react-router';
import { useRef } from 'react';
import { useEngines } from '@/api/engines';
import { useJobs } from '@/api/jobs';
import { useMay } from '@/api/role';
import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { Loaded, Skeleton } from '@/components/States';
import { engines as text } from '@/text/engines';
import { shell } from '@/text/shell';
import { EngineCard } from './EngineCard';
import { Installations } from './Installations';
import { More } from './More';
import { Parameters } from './Parameters';
import type { Search } from './search';

const route = getRouteApi('/engines');

export default function EnginesPage() {
  useTitle(shell.pages.engines);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Search>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const engines = useEngines();
  const installs = useJobs({ kind: ['install_engine'] }, 500);
  const mayInstall = useMay('operator');
  const parameters = useRef<HTMLDivElement>(null);
  return (
    <>
      <PageHead title={shell.pages.engines} />
      <Loaded of={engines} skeleton={<Skeleton lines={10} />}>
        {(items) => {
          const open = items.find((one) => one.engine === search.engine) ?? items[0];
          return (
            <div className="space-y-4">
              <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3 2xl:grid-cols-5">
                {items.map((engine) => (
                  <EngineCard
                    key={engine.engine}
                    engine={engine}
                    installs={installs.data ?? []}
                    mayInstall={mayInstall}
                    open={engine === open}
                    onOpen={() => {
                      set({ engine: engine.engine, group: undefined, open: undefined });
                      parameters.current?.scrollIntoView({ block: 'nearest' });
                    }}
                  />
                ))}
              </div>
              <div ref={parameters} className="scroll-mt-16">
                {open && <Parameters key={open.engine} engine={open} search={search} onChange={set} />}
              </div>
              <div className="grid gap-4 xl:grid-cols-2">
                <Installations jobs={installs.data ?? []} />
                <More mayInstall={mayInstall} jobs={installs.data ?? []} />
              </div>
            </div>
          );
        }}
      </Loaded>
      <p className="sr-only" role="status">
        {search.engine ? text.of(text.names[search.engine] ?? search.engine) : ''}
      </p>
    </>
  );
}
