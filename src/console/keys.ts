import type { Section } from './sections.ts'

export interface KeyGroup {
  title: string
  keys: readonly { press: readonly string[]; does: string }[]
}

const EVERYWHERE: KeyGroup = {
  title: 'Everywhere',
  keys: [
    { press: ['?'], does: 'This list' },
    { press: ['Ctrl', 'K'], does: 'Go to a page, an action or an id' },
    { press: ['Esc'], does: 'Close, or leave a field' },
    { press: ['u'], does: 'Back to the list' },
  ],
}

const LISTS: KeyGroup = {
  title: 'In a list',
  keys: [
    { press: ['j', 'k'], does: 'Next and previous row' },
    { press: ['Enter'], does: 'Open the row' },
  ],
}

/** What a section adds to the keys of every page. */
const OF_SECTION: Partial<Record<Section, readonly KeyGroup[]>> = {
  queue: [
    LISTS,
    {
      title: 'In the queue',
      keys: [
        { press: ['n'], does: 'Start with the next case' },
        { press: ['c'], does: 'Claim the row' },
        { press: ['x'], does: 'Select the row; Shift+x to it' },
        { press: ['d'], does: 'Decide the selected alike' },
        { press: ['/'], does: 'Filter' },
        { press: ['.'], does: 'Load what is new' },
        { press: ['z'], does: 'Undo what was decided last' },
      ],
    },
    {
      title: 'On a case',
      keys: [
        { press: ['c'], does: 'Claim it, or let it go' },
        { press: ['1', '…', '7'], does: 'Choose a verdict' },
        { press: ['r'], does: 'Choose the reason' },
        { press: ['e'], does: 'Ask a second person' },
        { press: ['s'], does: 'Submit' },
        { press: ['n'], does: 'Submit, then the next case' },
        { press: ['z'], does: 'Undo' },
        { press: ['h'], does: 'Hold' },
        { press: ['m'], does: 'Hand over' },
        { press: ['Shift', 'R'], does: 'Reveal the words of the source' },
      ],
    },
  ],
  second: [LISTS],
  submissions: [LISTS, { title: 'Submissions', keys: [{ press: ['/'], does: 'Filter' }] }],
  search: [{ title: 'Search', keys: [{ press: ['/'], does: 'The value' }] }],
  tactics: [LISTS, { title: 'A pattern or tactic', keys: [{ press: ['Shift', 'R'], does: 'Reveal its words' }] }],
  requests: [LISTS, { title: 'A request', keys: [{ press: ['y'], does: 'Approve' }] }],
  people: [LISTS],
}

export const keysFor = (section: Section): readonly KeyGroup[] => [EVERYWHERE, ...(OF_SECTION[section] ?? [])]
