export const THEMES = ['system', 'light', 'dark'] as const
export const DENSITIES = ['compact', 'roomy'] as const

/** How a person wants the console to look; it is kept in the browser and says nothing of anybody. */
export interface Look {
  theme: (typeof THEMES)[number]
  density: (typeof DENSITIES)[number]
  /** Whether single keys act (WCAG 2.1.4: they can be turned off). */
  keys: boolean
}

export const PLAIN_LOOK: Look = { theme: 'system', density: 'compact', keys: true }

/** `dark.compact.on`; whatever else a cookie holds is as if there were none. */
export function parseLook(text: string | undefined): Look {
  const [theme, density, keys, ...more] = (text ?? '').split('.')
  const [known, size] = [THEMES.find((one) => one === theme), DENSITIES.find((one) => one === density)]
  if (known === undefined || size === undefined || more.length > 0) return PLAIN_LOOK
  return { theme: known, density: size, keys: keys !== 'off' }
}

export const formatLook = ({ theme, density, keys }: Look): string => `${theme}.${density}.${keys ? 'on' : 'off'}`
