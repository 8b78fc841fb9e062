include RBA

options = LoadLayoutOptions.new
config = options.lefdef_config
config.dbu = 0.001
config.read_lef_with_def = false
config.lef_files = $lefs.map { |file| File.expand_path(file) }
# Seen from the layout, unless it is absolute.
config.map_file = File.expand_path($map)
# Abstracts also of cells whose layouts are said to be elsewhere: what has a layout replaces its abstract below.
config.macro_resolution_mode = 1

layout = Layout.new
layout.read($def, options)
top = layout.cell($design)
raise "the DEF has no design #{$design}" if top.nil?
raise "the DEF has a database unit of #{layout.dbu} um" if (layout.dbu - 0.001).abs > 1e-9

macros = {}
$lefs.each do |file|
  File.foreach(file) { |line| macros[$1] = true if line.b =~ /\A\s*MACRO\s+(\S+)/n }
end

# Each library by itself: what a cell in one is called may be another cell in the next.
missing = layout.each_cell.map { |cell| cell.name }.select { |name| macros[name] && name != $design }
$layouts.each do |file|
  library = Layout.new
  library.read(file)
  found = missing.select { |name| library.has_cell?(name) }
  found.each do |name|
    cell = layout.cell(name)
    cell.clear
    cell.copy_tree(library.cell(name))
  end
  missing -= found
end

save = SaveLayoutOptions.new
save.set_format_from_filename($gds)
save.gds2_write_timestamps = false
# What nothing refers to is no part of the design.
save.clear_cells
save.add_cell(top.cell_index)
layout.write($gds, save)
File.write($abstracts, missing.sort.map { |name| name + "\n" }.join)
