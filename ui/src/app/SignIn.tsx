import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { signIn, useSession } from '@/api/session';
import { Button } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { TextField } from '@/components/Field';
import { common } from '@/text/common';
import { shell } from '@/text/shell';
import { Logo } from './nav';
import { useTitle } from './title';

/** Stands instead of the page while the server lets us not in. */
export function SignIn() {
  const { refused } = useSession();
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const text = shell.signIn;
  useTitle(text.title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!token.trim()) return;
    // What was refused is not what the next one may see.
    client.clear();
    signIn(token.trim());
  };
  return (
    <main className="flex min-h-screen items-center justify-center p-4">
      <form onSubmit={submit} className="w-full max-w-md space-y-4 rounded-lg border border-line bg-surface p-5">
        <div className="flex items-center gap-2">
          <Logo aria-hidden className="size-6 text-accent" />
          <h1 className="text-lg font-semibold">{common.product}</h1>
        </div>
        <p className="text-muted">{refused === 'wrong' ? text.wrong : text.missing}</p>
        <TextField
          label={text.token}
          type="password"
          value={token}
          onChange={setToken}
          hint={text.kept}
          autoFocus
          mono
        />
        <Button type="submit" tone="primary" className="w-full" disabled={!token.trim()}>
          {text.submit}
        </Button>
        <div className="space-y-1 text-xs text-faint">
          <p>{text.how}</p>
          <CodeBlock text={text.command} label={text.how} wrap />
        </div>
      </form>
    </main>
  );
}
