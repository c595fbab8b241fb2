import { Check } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { cx } from './cx';

export type MenuItem =
  | { kind?: 'action'; label: string; icon?: ReactNode; danger?: boolean; disabled?: boolean; onSelect: () => void }
  | { kind: 'check'; label: string; checked: boolean; disabled?: boolean; onChange: (checked: boolean) => void }
  | {
      kind: 'radio';
      label: string;
      value: string;
      options: { value: string; label: string }[];
      onChange: (value: string) => void;
    }
  | { kind: 'label'; label: string }
  | { kind: 'line' };

const ITEM =
  'flex min-h-7 cursor-default select-none items-center gap-2 rounded-sm px-2 outline-none data-[highlighted]:bg-hover data-[disabled]:opacity-50';

function Mark() {
  return (
    <span className="flex size-4 items-center justify-center">
      <Radix.ItemIndicator>
        <Check aria-hidden className="size-3.5" />
      </Radix.ItemIndicator>
    </span>
  );
}

function Item({ item }: { item: MenuItem }) {
  if (item.kind === 'line') return <Radix.Separator className="my-1 h-px bg-line" />;
  if (item.kind === 'label') return <Radix.Label className="px-2 py-1 text-xs text-faint">{item.label}</Radix.Label>;
  if (item.kind === 'check') {
    return (
      <Radix.CheckboxItem
        className={ITEM}
        checked={item.checked}
        disabled={item.disabled}
        onCheckedChange={item.onChange}
        onSelect={(event) => event.preventDefault()}
      >
        <Mark />
        {item.label}
      </Radix.CheckboxItem>
    );
  }
  if (item.kind === 'radio') {
    return (
      <Radix.RadioGroup value={item.value} onValueChange={item.onChange} aria-label={item.label}>
        {item.options.map((option) => (
          <Radix.RadioItem key={option.value} value={option.value} className={ITEM}>
            <Mark />
            {option.label}
          </Radix.RadioItem>
        ))}
      </Radix.RadioGroup>
    );
  }
  return (
    <Radix.Item className={cx(ITEM, item.danger && 'text-bad')} disabled={item.disabled} onSelect={item.onSelect}>
      {item.icon}
      {item.label}
    </Radix.Item>
  );
}

/** A menu below a button: `<Menu items={…}><Button/></Menu>`. */
export function Menu({
  items,
  children,
  align = 'end',
}: {
  items: MenuItem[];
  children: ReactNode;
  align?: 'start' | 'end';
}) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[70vh] min-w-44 max-w-80 overflow-y-auto rounded-md border border-line bg-raised p-1 shadow-pop"
        >
          {items.map((item, index) => (
            <Item key={item.kind === 'line' ? `line ${index}` : item.label} item={item} />
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
