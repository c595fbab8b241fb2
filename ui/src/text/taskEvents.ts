/** Events of a task as sentences. */
const end = (head: string, more: string) => (more ? `${head}: ${more}` : head);

export const taskEvents = {
  roles: { baseline: 'Baseline', search: 'Search' },
  verify: (block: number, arm: string) => `Verification, pair ${block}, ${arm}`,
  created: (name: string) => `Stored as ${name}`,
  started: (resumed: boolean, worker: string) => `${resumed ? 'Taken up again' : 'Started'} by ${worker}`,
  reopened: (was: string) => `Opened again; it was ${was}`,
  cancelRequested: 'Somebody asked to stop it',
  ended: (status: string, why: string) => end(`Ended: ${status}`, why),
  revised: (n: number) => `Edited: revision ${n}`,
  archived: 'Archived',
  unarchived: 'Put back',
  experiment: (role: string, configuration: string) => end(`${role} decided`, configuration || 'engine defaults'),
  attempt: (n: number, worker: string) => `Attempt ${n} by ${worker}`,
  attemptEnded: (n: number, state: string, why: string) => end(`Attempt ${n} ${state}`, why),
  phase: (phase: string, level: number | undefined) =>
    `Phase: ${phase.replaceAll('_', ' ')}${level === undefined ? '' : ` ${level + 1}`}`,
  level: (level: number, valid: boolean, throughput: string, ttft: string) => {
    const figures = [throughput, ttft && `TTFT p99 ${ttft}`].filter(Boolean).join(', ');
    return end(`Level ${level + 1} measured${valid ? '' : ', invalid'}`, figures);
  },
  experimentEnded: (outcome: string, why: string) => end(`Ended: ${outcome}`, why),
  launched: (address: string, pid: number | undefined) =>
    `Engine launched${address ? ` at ${address}` : ''}${pid === undefined ? '' : `, process ${pid}`}`,
  stopped: 'Engine stopped',
  reserved: (port: number | undefined) => `Place reserved${port === undefined ? '' : `, port ${port}`}`,
  gpus: (gpus: readonly number[]) => `GPUs reserved: ${gpus.join(', ')}`,
  readBack: (n: number, wrong: readonly string[]) =>
    wrong.length ? `Arguments read back: ${wrong.join(', ')} differ` : `${n} arguments read back, none differs`,
  evidence: (version: string, command: string) => end('Evidence', [version, command].filter(Boolean).join(', ')),
  job: (change: string, error: string) => end(`Job ${change}`, error),
  leaseClaimed: (what: string) => `Claimed: ${what}`,
  leaseReleased: (what: string) => `Given back: ${what}`,
  leaseBroken: (what: string) => `Claim lost: ${what}`,
};
