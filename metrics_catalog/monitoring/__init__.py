"""What is not as it should be: rules judged on published values, their causes, and the incidents made of them."""
