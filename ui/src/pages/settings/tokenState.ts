import type { TokenItem } from '@/api/tokens';

export type TokenState = 'works' | 'revoked' | 'expired';

export function tokenState(token: Pick<TokenItem, 'works' | 'revoked_at'>): TokenState {
  if (token.works) return 'works';
  return token.revoked_at ? 'revoked' : 'expired';
}

/** The id of a token, which stands in its text: `autotuner_ID_…`. */
export function idOf(secret: string | null): string | undefined {
  return secret?.split('_')[1];
}

const DAY_MS = 86_400_000;
export const EXPIRIES = { never: 0, day: 1, week: 7, month: 30, quarter: 90, year: 365 } as const;
export type Expiry = keyof typeof EXPIRIES;

/** When a token that is made now stops working. */
export function expiresAt(expiry: Expiry, now: number): string | undefined {
  const days = EXPIRIES[expiry];
  return days ? new Date(now + days * DAY_MS).toISOString() : undefined;
}
