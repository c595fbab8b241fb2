import { deleteDataset } from '@/api/datasets';
import { deleteUndoably } from '@/app/undo';
import { datasets as text } from '@/text/datasets';

export const datasetKey = (name: string) => `dataset ${name}`;

/** Deletes after a while; what the service says against it is shown, and the data set is back in the list. */
export function deleteDatasetUndoably(name: string) {
  deleteUndoably({ key: datasetKey(name), what: text.deleted(name), run: () => deleteDataset(name) });
}
