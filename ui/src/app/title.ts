import { useEffect } from 'react';
import { common } from '@/text/common';

/** Says in the browser's tab where one is. */
export function useTitle(title: string | undefined) {
  useEffect(() => {
    document.title = title ? `${title} · ${common.product}` : common.product;
  }, [title]);
}
