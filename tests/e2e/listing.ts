/**
 * A file's variables as the sandbox lists them, for the tabs of the manager.
 *
 * Owns the exhibits: small files that have everything, and large ones. Must not know how they are drawn.
 */

/** One listed variable, with some of it otherwise. */
function variable(id: string, name: string, type: string, collection: number, values: unknown[], otherwise: Record<string, unknown> = {}): unknown {
  return { id, name, type, collection, values, description: '', scopes: ['ALL_SCOPES'], code: {}, hidden: false, ...otherwise };
}

const alias = (id: string) => ({ type: 'VARIABLE_ALIAS', id });
const color = (r: number, g: number, b: number, a = 1) => ({ r: r / 255, g: g / 255, b: b / 255, a });

/** A file with every type, aliases into another collection and a library, and every kind of problem. */
export function listing(): string {
  const collections = [
    { id: 'c0', name: 'Base', modes: ['Value'] },
    { id: 'c1', name: 'Theme', modes: ['Light', 'Dark', 'Light high contrast', 'Dark high contrast'] },
    { id: 'c2', name: 'Brand of the north', modes: ['Light', 'Dark'], extended: true },
    { id: 'c3', name: 'Core', modes: ['Light', 'Dark'], library_key: 'k1', library: 'Acme Core' },
  ];
  const variables = [
    variable('v0', 'blue/500', 'COLOR', 0, [color(9, 105, 218)], { description: 'Our blue', code: { WEB: 'var(--blue-500)', iOS: 'Color.blue500' } }),
    variable('v1', 'blue/500-a50', 'COLOR', 0, [{ color: alias('v0'), opacity: 50 }]),
    variable('v2', 'blue/600/hover', 'COLOR', 0, [color(5, 80, 174)]),
    variable('v3', 'space/4', 'FLOAT', 0, [16], { scopes: ['GAP', 'WIDTH_HEIGHT'] }),
    variable('v4', 'motion/ease', 'EASING', 0, [{ type: 'CUSTOM_CUBIC_BEZIER', easingFunctionCubicBezier: { x1: 0.4, y1: 0, x2: 0.2, y2: 1 } }]),
    variable('v5', 'motion/fast', 'TIMING', 0, [200]),
    variable('v6', 'flag', 'BOOLEAN', 0, [true], { hidden: true }),
    variable('v7', 'text/link', 'COLOR', 1, [alias('v0'), alias('v9'), alias('v2'), color(255, 255, 255)]),
    variable('v8', 'text/broken', 'COLOR', 1, [alias('gone'), color(0, 0, 0), null, alias('v8')]),
    variable('v10', 'surface/a group/with quite a long name that nobody shortened', 'COLOR', 1, [color(255, 255, 255), color(0, 0, 0, 0.4), alias('v1'), alias('v7')]),
    variable('v11', 'surface/bad.name', 'COLOR', 1, [color(1, 2, 3), color(1, 2, 3), color(1, 2, 3), color(1, 2, 3)], { scopes: ['GAP'], code: { WEB: 'var(--x' } }),
    variable('v12', 'label', 'STRING', 1, ['Save', 'Save', 'Save the whole document now', '']),
    variable('v9', 'white', 'COLOR', 3, [color(250, 250, 250), color(240, 240, 240)]),
  ];
  return JSON.stringify({ collections, variables, partial: false });
}

/** A file of so many variables in four modes, in groups of fifty. */
export function large(count: number): string {
  const variables = Array.from({ length: count }, (_, at) =>
    variable(`v${String(at)}`, `color/group-${String(Math.floor(at / 50))}/tone-${String(at)}`, 'COLOR', 0,
      [0, 1, 2, 3].map((mode) => (mode === 3 && at > 0 ? alias(`v${String(at - 1)}`) : color((at * 7 + mode * 40) % 256, at % 256, 200)))));
  return JSON.stringify({ collections: [{ id: 'c0', name: 'Brand', modes: ['Light', 'Dark', 'Light high contrast', 'Dark high contrast'] }], variables, partial: false });
}

/** A file without variables. */
export const EMPTY = JSON.stringify({ collections: [], variables: [], partial: false });
