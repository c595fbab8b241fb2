import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownToLine, ChevronDown, ChevronUp, Download } from 'lucide-react';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { components } from '@/text/components';
import { IconButton } from './Button';
import { CopyButton } from './Copy';
import { cx } from './cx';
import { INPUT } from './Field';
import { Switch } from './Toggle';

/** A search that several logs share. */
export interface Find {
  word: string;
  /** Only the lines that match are shown. */
  only: boolean;
}

interface LogViewProps {
  /** Lines so far, oldest first. */
  lines: readonly string[];
  label: string;
  /** Searched from outside: the log has no box of its own. */
  find?: Find;
  /** More may come: offers to follow the end. */
  live?: boolean;
  /** Name of the file that is saved. */
  fileName?: string;
  height?: string;
}

/** A log of any length: search with the keyboard, and follow its end. */
export function LogView({ lines, label, find, live, fileName, height = '28rem' }: LogViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const [own, setWanted] = useState('');
  const wanted = find ? find.word : own;
  const [at, setAt] = useState(0);
  const [follow, setFollow] = useState(live ?? false);
  const matches = useMemo(() => matchesOf(lines, wanted), [lines, wanted]);
  const isFiltered = find?.only === true && wanted !== '';
  const shown = isFiltered ? matches.length : lines.length;
  const rows = useVirtualizer({
    count: shown,
    // Heights belong to lines, whichever of them are shown.
    getItemKey: useCallback((row: number) => (isFiltered ? (matches[row] ?? row) : row), [isFiltered, matches]),
    getScrollElement: () => box.current,
    estimateSize: () => 18,
    overscan: 20,
  });
  const current = matches[Math.min(at, matches.length - 1)];
  const place = (match: number) => (isFiltered ? match : (matches[match] ?? 0));

  useEffect(() => {
    if (follow && shown > 0) rows.scrollToIndex(shown - 1, { align: 'end' });
  }, [follow, shown, rows]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another word begins at its first match, more lines do not
  useEffect(() => {
    if (!find?.word) return;
    setAt(0);
    if (matches.length === 0) return;
    setFollow(false);
    rows.scrollToIndex(place(0), { align: isFiltered ? 'start' : 'center' });
  }, [find?.word, find?.only]);

  const go = (step: number) => {
    if (matches.length === 0) return;
    const next = (at + step + matches.length) % matches.length;
    setAt(next);
    setFollow(false);
    rows.scrollToIndex(place(next), { align: 'center' });
  };
  const search = (word: string) => {
    setWanted(word);
    setAt(0);
    const [first] = matchesOf(lines, word);
    if (first !== undefined) {
      setFollow(false);
      rows.scrollToIndex(first, { align: 'center' });
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') search('');
  };
  const save = () => {
    const address = URL.createObjectURL(new Blob([lines.join('\n')], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = fileName ?? 'log.txt';
    link.click();
    URL.revokeObjectURL(address);
  };
  // Only a person lets go of the end; lines that are measured move the view by themselves.
  const letGo = () => {
    requestAnimationFrame(() => {
      const element = box.current;
      if (element && element.scrollHeight - element.scrollTop - element.clientHeight > 40) setFollow(false);
    });
  };

  return (
    <section aria-label={label} className="min-w-0 rounded-md border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-1.5">
        {!find && (
          <input
            type="search"
            aria-label={components.findInLog}
            placeholder={components.findInLog}
            className={cx(INPUT, 'h-7 w-52 flex-initial')}
            value={wanted}
            onChange={(event) => search(event.target.value)}
            onKeyDown={onKey}
          />
        )}
        {wanted && (
          <>
            <span role="status" className="text-xs text-muted">
              {components.matches(matches.length ? at + 1 : 0, matches.length)}
            </span>
            <IconButton
              size="sm"
              label={components.previous}
              icon={<ChevronUp aria-hidden className="size-4" />}
              onClick={() => go(-1)}
            />
            <IconButton
              size="sm"
              label={components.next}
              icon={<ChevronDown aria-hidden className="size-4" />}
              onClick={() => go(1)}
            />
          </>
        )}
        <span className="ml-auto text-xs text-faint">{components.lines(lines.length)}</span>
        {live && <Switch label={components.follow} checked={follow} onChange={setFollow} />}
        <IconButton
          size="sm"
          label={components.toEnd}
          icon={<ArrowDownToLine aria-hidden className="size-4" />}
          onClick={() => rows.scrollToIndex(shown - 1, { align: 'end' })}
        />
        <CopyButton text={() => lines.join('\n')} />
        <IconButton
          size="sm"
          label={components.download}
          icon={<Download aria-hidden className="size-4" />}
          onClick={save}
        />
      </div>
      <div
        ref={box}
        tabIndex={0}
        role="log"
        aria-label={label}
        onWheel={letGo}
        onTouchMove={letGo}
        onPointerUp={letGo}
        onKeyUp={letGo}
        className="overflow-auto bg-sunken font-mono text-xs focus-visible:-outline-offset-2"
        style={{ height }}
      >
        <div className="relative min-w-full" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((row) => {
            const index = isFiltered ? (matches[row.index] ?? 0) : row.index;
            return (
              <div
                key={row.key}
                data-index={row.index}
                ref={rows.measureElement}
                className={cx(
                  'absolute left-0 top-0 flex w-full gap-3 px-2 leading-[18px]',
                  index === current && 'bg-accent-soft',
                )}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <span aria-hidden className="w-10 shrink-0 select-none text-right text-faint">
                  {index + 1}
                </span>
                <Line text={lines[index] ?? ''} word={wanted} />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** Positions of the lines that have a word in them, in whatever case. */
export function matchesOf(lines: readonly string[], word: string): number[] {
  const wanted = word.toLowerCase();
  if (!wanted) return [];
  return lines.flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [index] : []));
}

function Line({ text, word }: { text: string; word: string }) {
  const found = word ? text.toLowerCase().indexOf(word.toLowerCase()) : -1;
  return (
    <span className="min-w-0 whitespace-pre-wrap [overflow-wrap:anywhere]">
      {found < 0 ? (
        text
      ) : (
        <>
          {text.slice(0, found)}
          <mark className="rounded-sm bg-warn-soft text-warn">{text.slice(found, found + word.length)}</mark>
          {text.slice(found + word.length)}
        </>
      )}
    </span>
  );
}
