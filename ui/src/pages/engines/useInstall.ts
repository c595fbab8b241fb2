import { useCreateJob } from '@/api/jobs';
import { confirm } from '@/app/confirm';
import { toastError } from '@/app/toasts';
import { engines as text } from '@/text/engines';
import { rememberInstall } from './installs';

/** Asks, and queues an installation. */
export function useInstall() {
  const creating = useCreateJob();
  const install = async (target: string) => {
    const [name = target] = text.targets[target] ?? [];
    const wanted = await confirm({ title: text.installTitle(name), text: text.installText, action: text.install });
    if (!wanted) return;
    creating.mutate(
      { kind: 'install_engine', payload: { target } as object as Record<string, never> },
      { onSuccess: (job) => rememberInstall(job.id, target), onError: (error) => toastError(error) },
    );
  };
  return { install, busy: creating.isPending };
}
