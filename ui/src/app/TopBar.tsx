import { useQueryClient } from '@tanstack/react-query';
import { Bell, BellOff, CircleUser, Menu as MenuIcon, Moon, Search, Sun, SunMoon } from 'lucide-react';
import { useRole } from '@/api/role';
import { signOut, useSession } from '@/api/session';
import { IconButton } from '@/components/Button';
import { Menu, type MenuItem } from '@/components/Menu';
import { shell } from '@/text/shell';
import { Approvals } from './Approvals';
import { ConnectionState } from './Connection';
import { setNotify, useNotifyState } from './notify';
import { setTheme, type Theme, useTheme } from './theme';

const ICON = 'size-4';

interface TopBarProps {
  onMenu: () => void;
  onPalette: () => void;
}

export function TopBar({ onMenu, onPalette }: TopBarProps) {
  return (
    <header className="sticky top-0 z-30 flex h-12 shrink-0 items-center gap-1 border-b border-line bg-page px-2 sm:px-4">
      <IconButton
        className="lg:hidden"
        label={shell.openNavigation}
        icon={<MenuIcon aria-hidden className={ICON} />}
        onClick={onMenu}
      />
      <button
        type="button"
        onClick={onPalette}
        aria-label={shell.palette}
        className="flex h-8 items-center gap-2 rounded-md border border-line bg-surface px-2 text-faint hover:border-edge/60 hover:text-muted sm:w-64"
      >
        <Search aria-hidden className={ICON} />
        <span className="hidden sm:inline">{shell.paletteShort}</span>
        <kbd className="ml-auto hidden rounded-sm border border-line px-1 font-sans text-xs sm:inline">Ctrl K</kbd>
      </button>
      <div className="ml-auto flex items-center gap-1">
        <Approvals />
        <ConnectionState />
        <Notifications />
        <ThemeMenu />
        <Account />
      </div>
    </header>
  );
}

function ThemeMenu() {
  const theme = useTheme();
  const Icon = { system: SunMoon, light: Sun, dark: Moon }[theme];
  const options = (['system', 'light', 'dark'] as const).map((value) => ({ value, label: shell.themes[value] }));
  const items: MenuItem[] = [
    { kind: 'radio', label: shell.theme, value: theme, options, onChange: (value) => setTheme(value as Theme) },
  ];
  return (
    <Menu items={items}>
      <IconButton label={shell.theme} icon={<Icon aria-hidden className={ICON} />} />
    </Menu>
  );
}

function Notifications() {
  const state = useNotifyState();
  if (state === 'insecure') return null;
  const on = state === 'on';
  const label = state === 'denied' ? shell.notifications.denied : on ? shell.notifications.off : shell.notifications.on;
  const Icon = on ? Bell : BellOff;
  return (
    <IconButton
      className="hidden sm:inline-flex"
      label={label}
      aria-pressed={on}
      disabled={state === 'denied'}
      icon={<Icon aria-hidden className={ICON} />}
      onClick={() => void setNotify(!on)}
    />
  );
}

function Account() {
  const client = useQueryClient();
  const { token } = useSession();
  const role = useRole();
  const leave = () => {
    // What this token could see is not for who comes next.
    client.clear();
    signOut();
  };
  const items: MenuItem[] = [{ kind: 'label', label: token ? shell.asToken(role) : shell.asLocal }];
  if (token) items.push({ label: shell.signOut, onSelect: leave });
  return (
    <Menu items={items}>
      <IconButton label={shell.account} icon={<CircleUser aria-hidden className={ICON} />} />
    </Menu>
  );
}
