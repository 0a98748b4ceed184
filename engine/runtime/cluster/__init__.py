"""The fold in a worker of a cluster: one loop for each partition, and the services around them."""
