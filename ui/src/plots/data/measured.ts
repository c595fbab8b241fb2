import type { PlacedMeasurement } from '@/api/experiments';
import { isValid, type Measurement } from '@/api/types';

/** What was measured at a level; of several repeats the one with most requests. */
export function measurementAt(measurements: readonly Measurement[], level: number): Measurement | undefined {
  const found = measurements.filter((measurement) => measurement.level === level && isValid(measurement));
  return found.toSorted((a, b) => b.requests.completed - a.requests.completed)[0];
}

/** Measurements of several experiments, as far as they are read. */
export function plain(results: readonly { data?: readonly PlacedMeasurement[] }[]): (Measurement[] | undefined)[] {
  return results.map(({ data }) => data?.map(({ measurement }) => measurement));
}
