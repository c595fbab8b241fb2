import { createContext, useContext } from 'react';
import type { EngineParameter } from '@/api/engines';

/** What the sections know beside the document. */
export interface Around {
  engine: string;
  catalogue: readonly EngineParameter[] | undefined;
  /** The text, at rest, where the server found no error in it. */
  validText: string | null;
  /** The name is taken, as the server said when the document was sent. */
  nameTaken: string | null;
}

const Context = createContext<Around | null>(null);
export const AroundProvider = Context.Provider;

export function useAround(): Around {
  const around = useContext(Context);
  if (!around) throw new Error('a section stands outside the editor');
  return around;
}
