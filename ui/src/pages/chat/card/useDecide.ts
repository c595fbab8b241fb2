import { useEffect, useRef, useState } from 'react';
import { approveCall, denyCall, giveLeave, type Leave } from '@/api/chat';
import { type ApiError, asApiError } from '@/api/error';
import { newKey } from '@/api/key';
import { chat } from '@/text/chat';
import type { Call } from '../state/talk';

export type Deciding = 'once' | 'leave' | 'deny' | 'stop';

/** How long an answer that changed nothing is waited for, ms. */
const PATIENCE_MS = 3000;

/**
 * What a person decides about a call. Whatever is pressed how often, one decision is sent at a time; the buttons come back when
 * it failed, or when it changed nothing.
 */
export function useDecide(session: string, call: Call) {
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const [problem, setProblem] = useState<ApiError | string | null>(null);
  const busy = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const free = () => {
    busy.current = false;
    setDeciding(null);
  };
  const decide = async (what: Deciding, send: (key: string) => Promise<unknown>): Promise<boolean> => {
    if (busy.current) return false;
    busy.current = true;
    setDeciding(what);
    setProblem(null);
    try {
      await send(newKey());
      // The stream tells what became of the call, and this goes with its state.
      timer.current = setTimeout(() => {
        free();
        if (what === 'leave') setProblem(chat.decide.stillWaits);
      }, PATIENCE_MS);
      return true;
    } catch (thrown) {
      setProblem(asApiError(thrown));
      free();
      return false;
    }
  };
  const one = { session, call: call.id };
  return {
    deciding,
    problem,
    once: (edited?: unknown) => decide('once', (key) => approveCall(one, call.digest, edited, key)),
    leave: (leave: Leave) => decide('leave', (key) => giveLeave(session, leave, key)),
    deny: (reason: string, stop: boolean) => decide(stop ? 'stop' : 'deny', (key) => denyCall(one, reason, stop, key)),
  };
}

export type Decide = ReturnType<typeof useDecide>;
