import { Link } from '@tanstack/react-router';
import { type ComponentProps, memo, useMemo, useRef } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from '@/components/Copy';
import { common } from '@/text/common';
import { useChat } from '../context';
import { blocks } from './blocks';
import './markdown.css';
import { linkExperiments } from './experiments';

/** What the model wrote, as Markdown. HTML in it is text; links lead elsewhere only in a new window; pictures are links. */
export default function Markdown({ text }: { text: string }) {
  const { tasks } = useChat();
  const plugins = useMemo(() => [remarkGfm, linkExperiments(tasks)], [tasks]);
  const parts = useMemo(() => blocks(text), [text]);
  return (
    <div className="markdown">
      {parts.map((part, index) => (
        <Part key={index} text={part} plugins={plugins} />
      ))}
    </div>
  );
}

/** While an answer is written only its last part changes. */
const Part = memo(function Part({ text, plugins }: { text: string; plugins: Plugins }) {
  return (
    <ReactMarkdown remarkPlugins={plugins} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  );
});

type Plugins = ComponentProps<typeof ReactMarkdown>['remarkPlugins'];

const COMPONENTS: Components = {
  a({ href = '', children }) {
    if (href.startsWith('/') && !href.startsWith('//')) return <Link to={href}>{children}</Link>;
    return (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    );
  },
  // Pictures of other hosts would tell them who reads.
  img({ src, alt }) {
    const address = typeof src === 'string' ? src : '';
    return (
      <a href={address} target="_blank" rel="noopener noreferrer">
        {alt || address}
      </a>
    );
  },
  pre: Code,
  table: Table,
  // Two headings of the page stand above.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  input: ({ checked }) => (
    <span role="img" aria-label={checked ? common.yes : common.no}>
      {checked ? '☑' : '☐'}
    </span>
  ),
};

function Code({ children }: { children?: React.ReactNode }) {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className="relative my-2 rounded-md border border-line bg-sunken">
      <div className="absolute right-1 top-1 rounded-md bg-sunken">
        <CopyButton text={() => block.current?.textContent ?? ''} />
      </div>
      <pre ref={block} tabIndex={0} className="max-h-[32rem] overflow-auto p-2 pr-10 font-mono text-xs">
        {children}
      </pre>
    </div>
  );
}

/** Tables scroll by themselves, and are copied as spreadsheets read them. */
function Table({ children }: { children?: React.ReactNode }) {
  const table = useRef<HTMLTableElement>(null);
  const copy = () => {
    const rows = [...(table.current?.rows ?? [])];
    return rows.map((row) => [...row.cells].map((cell) => cell.textContent ?? '').join('\t')).join('\n');
  };
  return (
    <div className="group/table relative my-2">
      <div tabIndex={0} className="overflow-x-auto rounded-md border border-line">
        <table ref={table}>{children}</table>
      </div>
      <div className="absolute right-1 top-0.5 rounded-md bg-surface opacity-0 focus-within:opacity-100 group-hover/table:opacity-100">
        <CopyButton text={copy} />
      </div>
    </div>
  );
}
