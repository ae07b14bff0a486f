/** What a cell of the matrix shows. */
export const MEASURES = ['shared', 'confirmed', 'not_violating', 'disputed', 'median_hours'] as const
export type Measure = (typeof MEASURES)[number]
