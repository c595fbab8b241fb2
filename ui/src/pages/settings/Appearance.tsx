import { type Density, setDensity, useDensity } from '@/app/density';
import { setNotify, useNotifyState } from '@/app/notify';
import { setTheme, type Theme, useTheme } from '@/app/theme';
import { Panel } from '@/components/Card';
import { KeyValues } from '@/components/KeyValues';
import { Select } from '@/components/Select';
import { useNow } from '@/components/Time';
import { Switch } from '@/components/Toggle';
import { dateTime, utc } from '@/format';
import { settings as text } from '@/text/settings';
import { shell } from '@/text/shell';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
const DENSITIES: readonly Density[] = ['compact', 'roomy'];

/** How the page looks in this browser. */
export function Appearance() {
  const theme = useTheme();
  const density = useDensity();
  const notices = useNotifyState();
  const now = useNow();
  const { notifications } = shell;
  const why = { denied: notifications.denied, insecure: notifications.insecure };
  return (
    <div className="grid max-w-4xl items-start gap-4 lg:grid-cols-2">
      <Panel title={text.look}>
        <div className="space-y-3">
          <Select
            label={text.theme}
            value={theme}
            options={THEMES.map((value) => ({ value, label: shell.themes[value] }))}
            onChange={setTheme}
          />
          <Select
            label={text.density}
            hint={text.densityHelp}
            value={density}
            options={DENSITIES.map((value) => ({ value, label: text.densities[value] }))}
            onChange={setDensity}
          />
        </div>
      </Panel>
      <Panel title={text.time}>
        <KeyValues
          pairs={[
            { label: text.zone, value: Intl.DateTimeFormat().resolvedOptions().timeZone },
            { label: text.now, value: dateTime(now) },
            { label: text.nowUtc, value: utc(now) },
          ]}
        />
        <p className="mt-2 text-xs text-faint">{text.zoneHelp}</p>
      </Panel>
      <Panel title={text.notices}>
        <Switch
          label={text.noticesLabel}
          hint={notices === 'denied' || notices === 'insecure' ? why[notices] : text.noticesHelp}
          checked={notices === 'on'}
          disabled={notices === 'denied' || notices === 'insecure'}
          onChange={(on) => void setNotify(on)}
        />
      </Panel>
      <p className="text-xs text-faint lg:col-span-2">{text.keptHere}</p>
    </div>
  );
}
