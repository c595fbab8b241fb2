import { createContext, useContext } from 'react';
import type { KnownTasks } from './markdown/experiments';

interface Scope {
  scope: string;
  text: string;
}

/** What every card and message of the open conversation needs. */
export interface ChatContext {
  session: string;
  /** Whether who looks may decide about calls and say something. */
  may: boolean;
  /** Every permission with what it lets the agent do; unknown until it is loaded. */
  scopes: readonly Scope[] | undefined;
  tasks: KnownTasks;
  /** Puts words into the composer. */
  suggest: (text: string) => void;
}

const Context = createContext<ChatContext>({
  session: '',
  may: false,
  scopes: undefined,
  tasks: { ids: new Map() },
  suggest: () => {},
});

export const ChatProvider = Context.Provider;

export function useChat(): ChatContext {
  return useContext(Context);
}
