/** What each pressed key stands for where a person has moved some: `pressed=usual`, an empty one for what stands for nothing. */
const moved = new Map(
  (document.documentElement.dataset['keymap'] ?? '').split(' ').flatMap((pair): [string, string][] => {
    const [pressed, usual] = [pair.slice(0, 1), pair.slice(2)]
    return pressed === '' ? [] : [[pressed, usual]]
  }),
)

/** The key by which pages name what was pressed. */
export const usualKey = (pressed: string): string => moved.get(pressed) ?? pressed
