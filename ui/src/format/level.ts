import type { Level } from '@/api/types';

const ARRIVALS: Record<string, string> = { poisson: 'poisson', constant: 'constant', trace: 'trace' };

function think(level: Level): string {
  const { think_s } = level as { think_s?: unknown };
  if (think_s === undefined || think_s === null) return '';
  if (typeof think_s !== 'object') return ` think ${think_s} s`;
  const { mean_s, low_s, high_s } = think_s as { mean_s?: number; low_s?: number; high_s?: number };
  return mean_s !== undefined ? ` think exp:${mean_s} s` : ` think ${low_s}–${high_s} s`;
}

/** Short name of a level, as `Level::label` in `crates/tuner-core/src/task/level.rs`: `c8`, `2.5/s poisson`. */
export function levelName(level: Level | undefined): string {
  if (!level) return '';
  const { burst, every_s, rate, users, ramp_to, concurrency, arrival } = level;
  if (burst && every_s) return `${burst} every ${every_s} s`;
  if (arrival === 'trace' && rate === undefined) {
    const { keep, time_scale } = level as { keep?: number; time_scale?: number };
    return `trace${keep ? ` ${keep * 100}%` : ''} ×${1 / (time_scale ?? 1)}`;
  }
  if (rate === undefined || rate === null) return `c${concurrency ?? 1}${think(level)}`;
  if (users) return `${users} users ${rate}/s`;
  const speed = ramp_to ? `${rate}→${ramp_to}/s ${level.ramp ?? 'linear'}` : `${rate}/s`;
  const how = arrival === 'gamma' ? `gamma ${level.burstiness ?? 1}` : (ARRIVALS[arrival ?? ''] ?? 'poisson');
  return `${speed} ${how}${think(level)}`;
}
