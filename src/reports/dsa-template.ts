import { cell } from './csv.ts'

/** A table of the templates of Annex I, as its CSV file is named. */
export interface DsaTable {
  table: DsaTableName
  /** Every column, in order. */
  columns: readonly string[]
  /** By column; what an exchange does not know is absent and stays empty, for it is not 0. */
  rows: readonly DsaRow[]
}
export type DsaRow = Readonly<Record<string, string | number>>

export const DSA_TABLES = [
  '5_own_initiative_illegal',
  '6_own_initiative_TC',
  '7_appeals_and_recidivism',
  '8_automated_means',
] as const
export type DsaTableName = (typeof DSA_TABLES)[number]

/** Everything that a programme of this kind exchanges is of this one kind. */
export const DSA_CATEGORY = 'STATEMENT_CATEGORY_PROTECTION_OF_MINORS'

// The spaces at the ends of some names are the template's own.
export const OWN_INITIATIVE = "Number of measures taken at the provider's own initiative "
export const REMOVAL = 'Visibility restriction Removal'
export const DISABLE = 'Visibility restriction Disable'
export const ACCOUNT_SUSPENSION = 'Account restriction Suspension'
export const ACCOUNT_TERMINATION = 'Account restriction Termination'

const MEASURES = [
  ...[OWN_INITIATIVE, 'Number of measures taken after detection with solely automated means '],
  ...[REMOVAL, DISABLE, 'Visibility restriction Demoted', 'Visibility restriction Age restricted'],
  ...['Visibility restriction Interaction restricted', 'Visibility restriction Labelled '],
  ...['Visibility restriction Other', 'Monetary restriction Suspension', 'Monetary restriction Termination'],
  ...['Monetary restriction Other', 'Provision of the service Suspension', 'Provision of the service Termination'],
  ...[ACCOUNT_SUSPENSION, ACCOUNT_TERMINATION],
]

/** Of the column beside that says how a measure is to be read. */
export const contextOf = (measure: string): string => `Contextual Information on ${measure}`

const SERVICE = ['Applicability', 'Service', 'Reporting period'] as const
const CATEGORY = {
  '5_own_initiative_illegal': 'Category of illegal content',
  '6_own_initiative_TC': "Category of incompatibility with the provider's terms and conditions",
} as const
export type MeasureTable = keyof typeof CATEGORY
export const categoryColumn = (table: MeasureTable): string => CATEGORY[table]

export const measureColumns = (table: MeasureTable): readonly string[] => [
  ...[...SERVICE, CATEGORY[table], 'Description of the sub-category "Other"'],
  ...[...MEASURES, ...MEASURES.map(contextOf)],
]
export const INDICATOR_COLUMNS: readonly string[] = [
  ...SERVICE,
  ...['Section', 'Indicator', 'Scope', 'Value', 'Contextual Information'],
]

/** RFC 4180, by comma, as the official files are. */
export const dsaCsvOf = ({ columns, rows }: DsaTable): string =>
  [columns, ...rows.map((row) => columns.map((name) => String(row[name] ?? '')))]
    .map((line) => `${line.map(cell).join(',')}\r\n`)
    .join('')
