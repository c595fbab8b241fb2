import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type Role, useRole } from '@/api/role';
import { signIn, signOut, useSession } from '@/api/session';
import { useInfo } from '@/api/system';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { TextField } from '@/components/Field';
import { KeyValues } from '@/components/KeyValues';
import { useConnection } from '@/events';
import { settings as text } from '@/text/settings';
import { shell } from '@/text/shell';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Who one is to the server. */
export function Access() {
  const { token } = useSession();
  const role = useRole();
  const connection = useConnection();
  const info = useInfo();
  const client = useQueryClient();
  const leave = () => {
    client.clear();
    signOut();
  };
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Panel title={text.connection}>
        <KeyValues
          pairs={[
            { label: text.connectionState, value: shell.connection[connection] },
            { label: text.address, value: window.location.origin, mono: true },
            {
              label: text.requiresToken,
              value: info.data && (info.data.requires_token ? text.requiresTokenEverywhere : text.requiresTokenRemote),
            },
            { label: text.signedIn, value: token ? text.withToken : text.withoutToken },
            { label: text.asker, value: info.data?.asker },
            { label: text.role, value: role ? text.roles[role] : text.roleUnknown },
          ]}
        />
        {token && (
          <div className="mt-3 flex flex-wrap items-center gap-3">
            <Button onClick={leave}>{text.signOut}</Button>
            <span className="text-xs text-faint">{text.signOutHelp}</span>
          </div>
        )}
      </Panel>
      <div className="space-y-4">
        <Panel title={text.role}>
          <dl className="space-y-2">
            {ROLES.map((one) => (
              <div key={one} className="grid grid-cols-[5.5rem_1fr] gap-2">
                <dt className={one === role ? 'font-semibold text-accent' : 'text-muted'}>{text.roles[one]}</dt>
                <dd className={one === role ? '' : 'text-muted'}>{text.roleHelp[one]}</dd>
              </div>
            ))}
          </dl>
        </Panel>
        <OtherToken />
      </div>
    </div>
  );
}

function OtherToken() {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!token.trim()) return;
    // What was shown to one is not what the next one may see.
    client.clear();
    signIn(token.trim());
    setToken('');
  };
  return (
    <Panel title={text.otherToken}>
      <form onSubmit={submit} className="flex items-start gap-2">
        <TextField
          label={text.token}
          hideLabel
          type="password"
          placeholder={text.token}
          className="flex-1"
          hint={text.tokenHint}
          value={token}
          onChange={setToken}
          mono
        />
        <Button type="submit" disabled={!token.trim()}>
          {text.signIn}
        </Button>
      </form>
    </Panel>
  );
}
