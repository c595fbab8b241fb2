/** The task file that needs nothing: it runs on the simulated engine. */
export async function exampleTask(): Promise<string> {
  return (await import('../../../../examples/simulated.yaml?raw')).default;
}
