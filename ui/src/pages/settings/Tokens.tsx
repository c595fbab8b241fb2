import { Ban, CircleCheck, ClockAlert, Plus } from 'lucide-react';
import { useState } from 'react';
import { useSession } from '@/api/session';
import { type MadeToken, type TokenItem, useRevokeToken, useTokens } from '@/api/tokens';
import { confirm } from '@/app/confirm';
import { toastError } from '@/app/toasts';
import { Badge, type BadgeTone } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { type Column, DataTable } from '@/components/DataTable';
import { Empty, Loaded } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { settings as text } from '@/text/settings';
import { MadeDialog } from './MadeDialog';
import { NewToken } from './NewToken';
import { idOf, type TokenState, tokenState } from './tokenState';

const LOOKS: Record<TokenState, [BadgeTone, typeof Ban]> = {
  works: ['ok', CircleCheck],
  revoked: ['neutral', Ban],
  expired: ['warn', ClockAlert],
};

function State({ token }: { token: TokenItem }) {
  const state = tokenState(token);
  const [tone, Icon] = LOOKS[state];
  return (
    <Badge tone={tone} icon={<Icon aria-hidden className="size-3.5 shrink-0" />}>
      {text[state]}
    </Badge>
  );
}

/** Who may come in over the network. */
export function Tokens() {
  const tokens = useTokens();
  const revoking = useRevokeToken();
  const own = idOf(useSession().token);
  const narrow = useNarrow();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);

  const revoke = async (token: TokenItem) => {
    const wanted = await confirm({
      title: text.revokeTitle(token.name),
      text: token.id === own ? `${text.revokeText} ${text.revokeOwn}` : text.revokeText,
      action: text.revoke,
      danger: true,
    });
    if (wanted) revoking.mutate(token.id, { onError: (error) => toastError(error) });
  };

  const columns: Column<TokenItem>[] = [
    {
      id: 'name',
      label: text.tokenName,
      width: narrow ? 'minmax(5.5rem, 1fr)' : 'minmax(8rem, 1fr)',
      sort: (token) => token.name,
      cell: (token) => (
        <span className="flex items-center gap-2" title={token.name}>
          <span className="min-w-0 truncate font-medium">{token.name}</span>
          {token.id === own && <Badge tone="accent">{text.own}</Badge>}
        </span>
      ),
    },
    { id: 'role', label: text.tokenRole, width: '5rem', sort: (token) => token.role, cell: (token) => token.role },
    {
      id: 'state',
      label: text.state,
      width: narrow ? '5.75rem' : '6.5rem',
      sort: (token) => tokenState(token),
      cell: (token) => <State token={token} />,
    },
    {
      id: 'created',
      label: text.created,
      width: '8rem',
      hidden: narrow,
      sort: (token) => Date.parse(token.created_at),
      cell: (token) => <RelativeTime at={token.created_at} />,
    },
    {
      id: 'expires',
      label: text.expires,
      width: '8rem',
      hidden: narrow,
      sort: (token) => token.expires_at && Date.parse(token.expires_at),
      cell: (token) => (token.expires_at ? <RelativeTime at={token.expires_at} /> : text.expiresNever),
    },
    {
      id: 'used',
      label: text.used,
      width: '8rem',
      hidden: narrow,
      sort: (token) => token.used_at && Date.parse(token.used_at),
      cell: (token) =>
        token.used_at ? <RelativeTime at={token.used_at} /> : <span className="text-faint">{text.usedNever}</span>,
    },
    {
      id: 'revoke',
      label: '',
      width: '5rem',
      align: 'right',
      cell: (token) =>
        token.revoked_at === null || token.revoked_at === undefined ? (
          <Button size="sm" tone="danger" onClick={() => void revoke(token)}>
            {text.revoke}
          </Button>
        ) : null,
    },
  ];
  return (
    <Panel
      title={text.tokenList}
      flush
      actions={
        tokens.data && (
          <Button size="sm" icon={<Plus aria-hidden className="size-3.5" />} onClick={() => setAdding(true)}>
            {text.newToken}
          </Button>
        )
      }
    >
      <Loaded of={tokens} empty={<Empty title={text.noTokens} text={text.noTokensText} />}>
        {(items) => (
          <DataTable
            label={text.tokenList}
            rows={items}
            columns={columns}
            rowKey={(token) => token.id}
            rowName={(token) => token.name}
            rowHeight={36}
          />
        )}
      </Loaded>
      <NewToken open={adding} onOpenChange={setAdding} onMade={setMade} />
      {made && <MadeDialog made={made} onClose={() => setMade(null)} />}
    </Panel>
  );
}
