import type { MadeToken } from '@/api/tokens';
import { Button } from '@/components/Button';
import { CodeBlock, CopyButton } from '@/components/Copy';
import { Dialog } from '@/components/Dialog';
import { settings as text } from '@/text/settings';

/** Shows the text of a new token this once; it is nowhere but in this component. */
export function MadeDialog({ made, onClose }: { made: MadeToken; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={text.madeTitle(made.name)}
      description={text.madeText}
      actions={
        <>
          <CopyButton text={made.token} label={text.copyToken} size="md" withLabel />
          <Button tone="primary" onClick={onClose}>
            {text.madeDone}
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <CodeBlock text={made.token} label={text.madeLabel} wrap />
        <div className="space-y-1">
          <p className="text-muted">{text.madeUse}</p>
          <CodeBlock text={text.madeHeader(made.token)} label={text.madeUse} wrap />
        </div>
      </div>
    </Dialog>
  );
}
