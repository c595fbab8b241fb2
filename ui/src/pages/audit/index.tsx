import { getRouteApi } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { useMemo } from 'react';
import { useAudit } from '@/api/audit';
import { useTitle } from '@/app/title';
import { Button } from '@/components/Button';
import { Card, PageHead } from '@/components/Card';
import { TextField } from '@/components/Field';
import { FilterChips } from '@/components/FilterChips';
import { Select } from '@/components/Select';
import { Empty, Loaded, Skeleton } from '@/components/States';
import { audit as text } from '@/text/audit';
import { components } from '@/text/components';
import { shell } from '@/text/shell';
import { AuditTable } from './AuditTable';
import { actionsOf, matches } from './filter';
import { OUTCOMES, type OutcomeClass, type Search } from './search';

const route = getRouteApi('/audit');

export default function AuditPage() {
  useTitle(shell.pages.audit);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Search>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const audit = useAudit();
  const entries = useMemo(() => audit.data?.pages.flatMap((page) => page.items), [audit.data]);
  const shown = useMemo(() => entries?.filter((entry) => matches(entry, search)), [entries, search]);
  const actions = useMemo(() => actionsOf(entries ?? []), [entries]);
  const more = audit.hasNextPage;

  return (
    <>
      <PageHead
        title={shell.pages.audit}
        note={text.note}
        actions={
          entries && (
            <Button
              size="sm"
              title={text.refreshHelp}
              busy={audit.isRefetching && !audit.isFetchingNextPage}
              icon={<RotateCw aria-hidden className="size-3.5" />}
              onClick={() => void audit.refetch()}
            >
              {text.refresh}
            </Button>
          )
        }
      />
      <Card>
        {entries && entries.length > 0 && (
          <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
            <TextField
              label={text.search}
              hideLabel
              type="search"
              placeholder={text.search}
              className="w-full sm:w-64"
              value={search.q ?? ''}
              onChange={(q) => set({ q: q || undefined })}
            />
            <Select
              label={text.action}
              hideLabel
              className="w-full sm:w-52"
              value={search.action ?? ''}
              options={[
                { value: '', label: text.allActions },
                ...actions.map(([action, count]) => ({ value: action, label: `${action} (${count})` })),
              ]}
              onChange={(action) => set({ action: action || undefined })}
            />
            <FilterChips<OutcomeClass>
              label={text.outcome}
              options={OUTCOMES.map((value) => ({ value, label: text.outcomes[value] }))}
              chosen={search.outcome ?? []}
              onChange={(outcome) => set({ outcome: outcome.length ? outcome : undefined })}
            />
          </div>
        )}
        <Loaded
          of={{ ...audit, data: shown }}
          skeleton={<Skeleton lines={8} />}
          empty={
            entries?.length ? (
              <Empty title={text.noMatch} text={more ? text.noMatchMore : undefined}>
                <Button size="sm" onClick={() => set({ q: undefined, action: undefined, outcome: undefined })}>
                  {components.clear}
                </Button>
              </Empty>
            ) : (
              <Empty title={text.empty} text={text.emptyText} />
            )
          }
        >
          {(rows) => <AuditTable entries={rows} />}
        </Loaded>
        {entries && entries.length > 0 && (
          <div className="flex flex-wrap items-center gap-3 border-t border-line px-3 py-2 text-xs text-faint">
            <span role="status">{more ? text.moreOf(entries.length) : text.all(entries.length)}</span>
            {more && (
              <Button size="sm" busy={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
                {text.more}
              </Button>
            )}
          </div>
        )}
      </Card>
    </>
  );
}
