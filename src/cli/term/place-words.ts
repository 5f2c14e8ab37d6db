/** Commands that are told to a person have to reach the place that is spoken of, or they ask another one. */

const ofServices = 'status|why|top|logs|events|history|rollback|restart|scale|infer|down|abort|deploy|plan'
const command = new RegExp(`\`(towline (?:${ofServices})\\b[^\`]*)\``, 'g')

/** `--context staging -n cats`, as the person wrote it; undefined: no cluster was named. */
export function readPlace(args: readonly string[]): string | undefined {
  const words = args.flatMap((arg, index) => {
    const [, name, value] = /^(--context|--namespace|-n)(?:=(.*))?$/.exec(arg) ?? []
    if (name === undefined) return []
    const given = value ?? args[index + 1]
    return given === undefined ? [] : [`${name === '--namespace' ? '-n' : name} ${given}`]
  })
  return words.length === 0 ? undefined : words.join(' ')
}

/** Each `towline …` in the text that names no place gets this one. */
export function addPlace(text: string, place: string | undefined): string {
  if (place === undefined) return text
  return text.replaceAll(command, (whole, words: string) =>
    / (--context|-n|--namespace|FILE)\b/.test(words) ? whole : `\`${words} ${place}\``,
  )
}
