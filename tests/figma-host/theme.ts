/**
 * The `--figma-color-*` variables that `themeColors: true` gives a panel, in Figma's light and dark themes.
 *
 * Owns the names and values. Must not know how they reach the page. The names are those of Figma's page "CSS
 * Variables and Theming"; the values are near to Figma's own, which change without notice.
 */

export type Theme = 'light' | 'dark';

/** Name without `--figma-color-` → light, dark. */
const COLORS: Record<string, readonly [light: string, dark: string]> = {
  bg: ['#ffffff', '#2c2c2c'],
  'bg-hover': ['#f5f5f5', '#383838'],
  'bg-pressed': ['#e6e6e6', '#444444'],
  'bg-secondary': ['#f5f5f5', '#383838'],
  'bg-secondary-hover': ['#e6e6e6', '#444444'],
  'bg-tertiary': ['#e6e6e6', '#444444'],
  'bg-disabled': ['#d9d9d9', '#757575'],
  'bg-disabled-secondary': ['#b3b3b3', '#444444'],
  'bg-inverse': ['#2c2c2c', '#ffffff'],
  'bg-brand': ['#0d99ff', '#0c8ce9'],
  'bg-brand-hover': ['#007be5', '#0a6dc2'],
  'bg-brand-pressed': ['#007be5', '#0a6dc2'],
  'bg-brand-secondary': ['#007be5', '#105cad'],
  'bg-brand-tertiary': ['#e5f4ff', '#394360'],
  'bg-component': ['#9747ff', '#8a38f5'],
  'bg-component-tertiary': ['#f1e5ff', '#443a58'],
  'bg-danger': ['#f24822', '#e03e1a'],
  'bg-danger-hover': ['#dc3412', '#c4381c'],
  'bg-danger-secondary': ['#dc3412', '#c4381c'],
  'bg-danger-tertiary': ['#ffe2e0', '#60332d'],
  'bg-selected': ['#e5f4ff', '#4a5878'],
  'bg-selected-hover': ['#bde3ff', '#667799'],
  'bg-selected-secondary': ['#f2f9ff', '#394360'],
  'bg-success': ['#14ae5c', '#198f51'],
  'bg-success-hover': ['#009951', '#147846'],
  'bg-success-secondary': ['#009951', '#0a5c35'],
  'bg-success-tertiary': ['#cff7d3', '#28402e'],
  'bg-warning': ['#ffcd29', '#f3c11b'],
  'bg-warning-hover': ['#ffc21a', '#f2b50d'],
  'bg-warning-secondary': ['#ffc21a', '#ca9a1d'],
  'bg-warning-tertiary': ['#fff1c2', '#4d4125'],
  text: ['rgba(0, 0, 0, 0.9)', '#ffffff'],
  'text-secondary': ['rgba(0, 0, 0, 0.5)', 'rgba(255, 255, 255, 0.7)'],
  'text-tertiary': ['rgba(0, 0, 0, 0.3)', 'rgba(255, 255, 255, 0.4)'],
  'text-disabled': ['rgba(0, 0, 0, 0.3)', 'rgba(255, 255, 255, 0.4)'],
  'text-hover': ['rgba(0, 0, 0, 0.9)', '#ffffff'],
  'text-onbrand': ['#ffffff', '#ffffff'],
  'text-ondanger': ['#ffffff', '#ffffff'],
  'text-onsuccess': ['#ffffff', '#ffffff'],
  'text-onwarning': ['rgba(0, 0, 0, 0.9)', 'rgba(0, 0, 0, 0.9)'],
  'text-onselected': ['rgba(0, 0, 0, 0.9)', '#ffffff'],
  'text-ondisabled': ['#ffffff', '#383838'],
  'text-oninverse': ['#ffffff', 'rgba(0, 0, 0, 0.9)'],
  'text-brand': ['#007be5', '#7cc4f8'],
  'text-brand-secondary': ['rgba(0, 99, 184, 0.5)', 'rgba(124, 196, 248, 0.5)'],
  'text-component': ['#8638e5', '#d1a8ff'],
  'text-danger': ['#dc3412', '#fca397'],
  'text-danger-secondary': ['#bd2915', '#fca397'],
  'text-selected': ['#007be5', '#7cc4f8'],
  'text-success': ['#009951', '#79d297'],
  'text-warning': ['#b86200', '#f7d15f'],
  icon: ['rgba(0, 0, 0, 0.9)', '#ffffff'],
  'icon-secondary': ['rgba(0, 0, 0, 0.5)', 'rgba(255, 255, 255, 0.7)'],
  'icon-tertiary': ['rgba(0, 0, 0, 0.3)', 'rgba(255, 255, 255, 0.4)'],
  'icon-disabled': ['rgba(0, 0, 0, 0.3)', 'rgba(255, 255, 255, 0.4)'],
  'icon-onbrand': ['#ffffff', '#ffffff'],
  'icon-brand': ['#007be5', '#7cc4f8'],
  'icon-danger': ['#dc3412', '#fca397'],
  'icon-success': ['#009951', '#79d297'],
  'icon-warning': ['#ffcd29', '#f7d15f'],
  border: ['#e6e6e6', '#444444'],
  'border-strong': ['#2c2c2c', '#ffffff'],
  'border-disabled': ['#e6e6e6', '#444444'],
  'border-disabled-strong': ['#b3b3b3', '#757575'],
  'border-brand': ['#007be5', '#7cc4f8'],
  'border-brand-strong': ['#0d99ff', '#0c8ce9'],
  'border-danger': ['#ffc7c2', '#963323'],
  'border-danger-strong': ['#dc3412', '#fca397'],
  'border-onbrand': ['#bde3ff', '#0a6dc2'],
  'border-selected': ['#bde3ff', '#0c8ce9'],
  'border-selected-strong': ['#0d99ff', '#0c8ce9'],
  'border-success': ['#aff4c6', '#0a5c35'],
  'border-success-strong': ['#009951', '#79d297'],
  'border-warning': ['#ffe8a3', '#724c18'],
  'border-warning-strong': ['#b86200', '#f7d15f'],
};

/** A style sheet for `:root`. */
export function themeStyle(theme: Theme): string {
  const at = theme === 'light' ? 0 : 1;
  const lines = Object.entries(COLORS).map(([name, values]) => `--figma-color-${name}: ${values[at]};`);
  return `:root { color-scheme: ${theme}; ${lines.join(' ')} }`;
}
