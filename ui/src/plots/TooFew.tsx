import { ChartScatter } from 'lucide-react';
import { Empty } from '@/components/States';
import { plots } from '@/text/plots';

/** Said plainly instead of a drawing that would mean nothing. */
export function TooFew({ have, need }: { have: number; need: number }) {
  return (
    <Empty
      icon={<ChartScatter aria-hidden className="size-6" />}
      title={plots.tooFew}
      text={plots.tooFewHint(have, need)}
    />
  );
}
