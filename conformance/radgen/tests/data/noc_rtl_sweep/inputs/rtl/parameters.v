parameter num_message_classes = 5;
parameter buffer_size = 20;
parameter num_nodes_per_router = 1;
parameter num_dimensions = 2;
parameter flit_data_width = 124;
