import { deletePreset, presetText } from '@/api/presets';
import { toastError } from '@/app/toasts';
import { deleteUndoably } from '@/app/undo';
import { saveFile } from '@/plots/save';
import { presets as words } from '@/text/presets';
import { exportFile, presetDocument } from './document';

export const deletionKey = (name: string) => `preset ${name}`;

/** Deletes a preset after a while in which it can be taken back. */
export function removePreset(name: string) {
  deleteUndoably({ key: deletionKey(name), what: words.preset(name), run: () => deletePreset(name) });
}

/** Saves presets as a file that can be imported elsewhere. */
export async function exportPresets(names: readonly string[]) {
  try {
    const texts = await Promise.all(names.map(async (name) => presetDocument(await presetText(name))));
    saveFile(`${names.length === 1 ? names[0] : 'presets'}.preset.yaml`, exportFile(texts), 'application/yaml');
  } catch (error) {
    toastError(error, words.exportFailed);
  }
}
