import { QueryClient, type UseMutationResult, useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { ApiError } from './error';
import { ActionKey } from './key';

const TRIES = 3;

function worthAnotherTry(failures: number, error: Error): boolean {
  return error instanceof ApiError && error.mayPass && failures < TRIES;
}

/**
 * Server state is kept until an event says that it changed (`src/events`), so nothing is asked twice for the sake of time.
 */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        networkMode: 'always',
        retry: worthAnotherTry,
      },
      mutations: { networkMode: 'always', retry: worthAnotherTry, retryDelay: (n) => 500 * 2 ** n },
    },
  });
}

interface Action<V, T> {
  /** Does it; `key` goes into the header `Idempotency-Key` and is the same in every try of this action. */
  run: (wanted: V, key: string) => Promise<T>;
  onDone?: (answer: T, wanted: V) => void;
}

/** A change that a person asks for. */
export function useAction<V, T>({ run, onDone }: Action<V, T>): UseMutationResult<T, ApiError, V> {
  const key = useRef<ActionKey>(null);
  key.current ??= new ActionKey();
  const keys = key.current;
  return useMutation<T, ApiError, V>({
    mutationFn: (wanted) => run(wanted, keys.take(wanted)),
    onSuccess: (answer, wanted) => {
      keys.settle();
      onDone?.(answer, wanted);
    },
    onError: (error) => {
      if (!error.mayPass) keys.settle();
    },
  });
}
