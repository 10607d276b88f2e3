"""What each kind of model does with texts, images and answers around its network, whatever calculates that."""
