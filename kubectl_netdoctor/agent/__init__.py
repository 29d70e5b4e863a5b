"""What runs on a node: reads facts and measures paths for one plan, judges nothing, changes nothing."""
