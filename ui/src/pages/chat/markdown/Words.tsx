import { lazy, Suspense } from 'react';

const Markdown = lazy(() => import('./Markdown'));

/** Words of the model; as plain text until what reads Markdown is there. */
export function Words({ text }: { text: string }) {
  return (
    <Suspense fallback={<div className="whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</div>}>
      <Markdown text={text} />
    </Suspense>
  );
}
