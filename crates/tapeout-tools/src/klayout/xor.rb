include RBA

one = Layout.new
one.read($one)
other = Layout.new
other.read($other)
if (one.dbu - other.dbu).abs > 1e-9
  raise "the layouts have database units of #{one.dbu} um and #{other.dbu} um"
end
tops = [one, other].map { |layout| layout.cell($design) }
raise "a layout has no cell #{$design}" if tops.any?(&:nil?)

report = ReportDatabase.new("Differences")
report.top_cell_name = $design
cell = report.create_cell($design)
total = 0
layers = (one.layer_infos + other.layer_infos).map { |info| [info.layer, info.datatype] }.uniq.sort
layers.each do |layer, datatype|
  name = "#{layer}/#{datatype}"
  next if $ignored.include?(name)
  shapes = [one, other].zip(tops).map do |layout, top|
    index = layout.find_layer(layer, datatype)
    index ? top.begin_shapes_rec(index) : nil
  end
  if $tile
    difference = Region.new
    processor = TilingProcessor.new
    processor.tile_size($tile, $tile)
    processor.threads = $threads
    processor.dbu = one.dbu
    shapes.each_with_index do |iterator, index|
      iterator ? processor.input("s#{index}", iterator) : processor.input("s#{index}", Region.new)
    end
    processor.output("difference", difference)
    processor.queue("_output(difference, s0 ^ s1)")
    processor.execute("Compare #{name}")
  else
    difference = shapes.map { |iterator| iterator ? Region.new(iterator) : Region.new }.reduce(:^)
  end
  difference = difference.merged
  next if difference.is_empty?
  category = report.create_category(name)
  difference.each { |polygon| report.create_item(cell.rdb_id, category.rdb_id).add_value(polygon.to_dtype(one.dbu)) }
  total += difference.count
end
report.save($report)
File.write($count, "#{total}\n")
